"""Search a model for a table, look at what was found, predict."""

from sklearn.datasets import load_wine

import mlestar

data = load_wine(as_frame=True)
run = mlestar.run(data.frame, "target", fits=30, seed=1, out="wine-run")

for row in run.leaderboard[:3]:
    print(row["rank"], row["family"], round(row["score"], 4))
print("the block that matters most:", run.ablation[0]["focus"] if run.ablation else "not reached")
print("report:", run.report)
print(run.model.predict(data.data.head()))

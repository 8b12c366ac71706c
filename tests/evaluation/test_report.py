"""What the report says of the ensemble's choice."""

import pytest

pytest.importorskip("matplotlib")

from mlestar.evaluation.report import ReportContent, ReportGenerator


def page(choice):
    content = ReportContent("t", "binary", "roc_auc", True, [0, 1], [], choice=choice)
    return ReportGenerator().generate(content)


def test_the_choice_and_its_alternatives():
    one = {"method": "mean", "error": 0.25, "gain": 0.0125, "interval": [-0.01, 0.035], "models": 3}
    other = {**one, "method": "greedy", "error": 0.125, "models": 2}
    html = page(
        {
            "method": "greedy",
            "reason": "greedy: <b>the least</b>",
            "metric": "log_loss",
            "alternatives": [one, other],
        }
    )
    assert "greedy: &lt;b&gt;the least&lt;/b&gt;." in html
    assert "<b>the least" not in html
    for words in ("mean", "greedy (chosen)", "0.0125", "-0.01 to 0.035", "log_loss"):
        assert words in html


def test_without_alternatives():
    assert "best_single: there is one model." in page(
        {"method": "best_single", "reason": "best_single: there is one model", "alternatives": []}
    )
    assert "<h2>Ensemble</h2>" not in page({})

"""How reports look."""

ACCENT = "#2563a8"
STRONG = "#c2571a"
MUTED = "#6b7280"

CSS = """
:root { color-scheme: light; }
body { margin: 0; background: #f6f7f9; color: #1f2937;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 920px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 28px; margin: 0 0 8px; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 0 0 12px; }
section { background: #fff; border: 1px solid #e5e7eb; border-radius: 10px; padding: 20px 22px;
  margin: 18px 0; }
.cards { display: flex; flex-wrap: wrap; gap: 12px; }
.card { background: #fff; border: 1px solid #e5e7eb; border-radius: 10px; padding: 12px 16px; flex:
  1 1 170px; }
.card span, .card small, .note { color: #6b7280; font-size: 13px; display: block; overflow-wrap:
  anywhere; }
.card strong { font-size: 24px; }
img { max-width: 100%; height: auto; display: block; margin: 6px 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric:
  tabular-nums; }
th, td { text-align: left; padding: 5px 10px 5px 0; border-bottom: 1px solid #eef0f3;
  vertical-align: top; }
th { color: #6b7280; font-weight: 600; }
pre { font-size: 12.5px; overflow-x: auto; background: #f6f7f9; padding: 12px; border-radius: 8px; }
summary { cursor: pointer; color: #2563a8; margin-top: 10px; }
"""

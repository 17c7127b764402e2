"""How is a figure drawn: on a page by Plotly, on paper as SVG or PDF, both from the same marks."""

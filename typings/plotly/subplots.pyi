from collections.abc import Sequence

from plotly.graph_objects import Figure

def make_subplots(
    rows: int = ...,
    cols: int = ...,
    *,
    shared_xaxes: bool | str = ...,
    shared_yaxes: bool | str = ...,
    vertical_spacing: float | None = ...,
    subplot_titles: Sequence[str] | None = ...,
) -> Figure: ...

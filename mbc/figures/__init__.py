"""Frozen values in, figures out: by Plotly for pages and notebooks, as SVG and PDF for paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mbc.lazy import public_names

if TYPE_CHECKING:
    from mbc.figures.figure import Figure as Figure
    from mbc.figures.goals import goals_figure as goals_figure
    from mbc.figures.outcomes import outcomes_figure as outcomes_figure
    from mbc.figures.results.agreement import method_agreement as method_agreement
    from mbc.figures.results.clinician_plots import clinician_difference as clinician_difference
    from mbc.figures.results.clinician_plots import clinician_funnel as clinician_funnel
    from mbc.figures.results.courses import growth as growth
    from mbc.figures.results.courses import true_change as true_change
    from mbc.figures.results.dropout import dropout_sensitivity as dropout_sensitivity
    from mbc.figures.results.fitted_courses import fitted_values as fitted_values
    from mbc.figures.results.funnel_plot import funnel as funnel
    from mbc.figures.results.incidence import cumulative_incidence as cumulative_incidence
    from mbc.figures.results.intervals import forest as forest
    from mbc.figures.results.intervals import item_rest_correlations as item_rest_correlations
    from mbc.figures.results.lagged_diagram import lagged_paths as lagged_paths
    from mbc.figures.results.residual_checks import residuals as residuals
    from mbc.figures.results.therapist_plot import therapist_effects as therapist_effects
    from mbc.figures.sparkline import sparkline_svg as sparkline_svg
    from mbc.figures.static_twin import static as static
    from mbc.figures.trajectory import trajectory_figure as trajectory_figure

__getattr__, __dir__, _names = public_names(
    __name__,
    {
        "figure": ("Figure",),
        "goals": ("goals_figure",),
        "outcomes": ("outcomes_figure",),
        "results.agreement": ("method_agreement",),
        "results.clinician_plots": ("clinician_difference", "clinician_funnel"),
        "results.courses": ("growth", "true_change"),
        "results.dropout": ("dropout_sensitivity",),
        "results.fitted_courses": ("fitted_values",),
        "results.funnel_plot": ("funnel",),
        "results.incidence": ("cumulative_incidence",),
        "results.intervals": ("forest", "item_rest_correlations"),
        "results.lagged_diagram": ("lagged_paths",),
        "results.residual_checks": ("residuals",),
        "results.therapist_plot": ("therapist_effects",),
        "sparkline": ("sparkline_svg",),
        "static_twin": ("static",),
        "trajectory": ("trajectory_figure",),
    },
)
__all__ = sorted(_names)  # noqa: PLE0605 - made from the map  # pyright: ignore[reportUnsupportedDunderAll]

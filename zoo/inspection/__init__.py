"""Gates, states, gradients through time, saliency and attention, as arrays and as figures."""

from zoo.inspection.contact_sheet import plot_contact_sheet
from zoo.inspection.gradient_logger import GradientLogger
from zoo.inspection.gradients import (
    jacobian,
    largest_singular_values,
    saliency,
    state_gradients,
    step_jacobians,
)
from zoo.inspection.plots import (
    plot_attention,
    plot_curves,
    plot_gate_means,
    plot_gates,
    plot_image_attention,
    plot_saliency,
)
from zoo.inspection.states import gates

__all__ = [
    "GradientLogger",
    "gates",
    "jacobian",
    "largest_singular_values",
    "plot_attention",
    "plot_contact_sheet",
    "plot_curves",
    "plot_gate_means",
    "plot_gates",
    "plot_image_attention",
    "plot_saliency",
    "saliency",
    "state_gradients",
    "step_jacobians",
]

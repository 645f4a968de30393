"""Raw user data to tensors and back, inside the graph: text, images, frames and videos."""

from zoo.preprocessing import images, text, video

__all__ = ["images", "text", "video"]

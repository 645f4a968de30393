"""Raw user data to tensors and back, inside the graph: text, images, frames and videos."""

"""The default model: an autoregressive forest over integer codes."""

"""Networks in PyTorch: backbones, building blocks, generators and critics. Nothing here knows about photographs."""

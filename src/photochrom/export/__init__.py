"""Export: a trained network comes in, the ONNX file that runs without PyTorch goes out, both compared first."""

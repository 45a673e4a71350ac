"""Export: a trained network comes in, the ONNX file that runs without PyTorch goes out, both compared first.

`color` and `restoration` fold the networks (`nets/folding.py`) and say what goes in and out; `onnx_file` writes the
graph with its own description inside, `kept` beside it what unfolds it, so that training goes on from the file.
"""

"""What runs inside Triton. `likeness export` copies these files into the model repository, beside the graph.

They import torch, onnxruntime and each other (relatively: Triton loads them as the package "1") and nothing
else of this project, so that a repository works in Triton's container as it is. Python 3.10 has to do.
"""

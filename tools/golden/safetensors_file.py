"""Tensors in a file: 8 bytes that give the length of a JSON header, the header, then the bytes of all tensors."""

import json
import struct

import numpy as np
import torch

TYPES = {"float32": "F32", "int32": "I32"}


def write_safetensors(path: str, tensors: dict[str, torch.Tensor]) -> None:
    header, parts, at = {}, [], 0
    for name, tensor in tensors.items():
        values = tensor.detach().numpy()
        values = values.astype(np.float32 if tensor.is_floating_point() else np.int32)
        data = np.ascontiguousarray(values).tobytes()
        header[name] = {"dtype": TYPES[str(values.dtype)], "shape": list(values.shape), "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))

"""Recurrent layers and cells, with loaded weights."""

from torch import nn

from case import Case, kind
from draw import Draw
from modules import module_case

LAYERS = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}
CELLS = {"RNNCell": nn.RNNCell, "LSTMCell": nn.LSTMCell, "GRUCell": nn.GRUCell}


def layer(name: str) -> None:
    @kind(name, variants=8)
    def make(d: Draw) -> Case:
        """Gives the output of all steps, or the last hidden (of an LSTM also cell) state; may start from a given state."""
        settings = {"inputSize": d.size(1, 4), "hiddenSize": d.size(1, 4)}
        settings |= d.turn({}, {"numLayers": 2}, {"bidirectional": True}, {"batchFirst": True}, {"bias": False},
                           {"numLayers": 2, "bidirectional": True, "batchFirst": True}, {}, {})
        projected = name == "LSTM" and d.index % 8 == 6
        if projected:
            settings["hiddenSize"] += 2
            settings["projSize"] = settings["hiddenSize"] - 1
        if name == "RNN" and d.index % 8 == 6:
            settings["nonlinearity"] = "relu"
        module = LAYERS[name](**{"".join("_" + c.lower() if c.isupper() else c for c in key): value for key, value in settings.items()})
        steps, batch = d.size(1, 4), d.size(1, 3)
        unbatched = d.index % 8 == 7
        shape = [steps, settings["inputSize"]] if unbatched else (
            [batch, steps, settings["inputSize"]] if settings.get("batchFirst") else [steps, batch, settings["inputSize"]])
        inputs = [d.normal(shape)]
        directions = settings.get("numLayers", 1) * (2 if settings.get("bidirectional") else 1)
        middle = [] if unbatched else [batch]
        if d.turn(False, True, False, True):
            inputs.append(d.normal([directions, *middle, settings.get("projSize", settings["hiddenSize"])]))
            if name == "LSTM":
                inputs.append(d.normal([directions, *middle, settings["hiddenSize"]]))
        give = d.turn("output", "output", "h", "output", "c" if name == "LSTM" else "h")

        def run(module, x, *state):
            state = None if not state else tuple(state) if name == "LSTM" else state[0]
            output, last = module(x, state)
            if give == "output":
                return output
            return last if name != "LSTM" else last[0 if give == "h" else 1]

        return module_case(d, module, inputs, {"settings": settings, "state": len(inputs) - 1, "give": give}, run)


for name in LAYERS:
    layer(name)


def cell(name: str) -> None:
    @kind(name, variants=2)
    def make(d: Draw) -> Case:
        inputs, hidden, batch = d.size(1, 4), d.size(1, 4), d.size(1, 3)
        settings = {"inputSize": inputs, "hiddenSize": hidden, "bias": d.turn(True, False)}
        module = CELLS[name](inputs, hidden, bias=settings["bias"])
        states = [d.normal([batch, hidden]) for _ in range(2 if name == "LSTMCell" else 1)]

        def run(module, x, *state):
            found = module(x, state if len(state) > 1 else state[0])
            return found[0] if name == "LSTMCell" else found

        return module_case(d, module, [d.normal([batch, inputs]), *states], {"settings": settings, "state": len(states), "give": "h"}, run)


for name in CELLS:
    cell(name)

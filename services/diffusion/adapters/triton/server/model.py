"""The UNet in Triton's python backend: the graph, and beside it the adapters that rows name by content.

A request's parameter `call` says what it is; all carry `adapters` int64 [B, 8, 4], keys, zeros = none:
 - predict: latents and conditions, `strengths` [B, 8]; answered with `prediction`. Where it carries the
   packed `lora_*` matrices itself, these are used and nothing is kept.
 - upload: `lora_*` [1, r, width], kept under the first key.
 - forget: the first key's adapter is dropped and its memory cleared.
 - describe: answered with `description`, a JSON object in UTF-8.
Every answer has `epoch`, drawn anew at each start: who sees another one knows that the adapters are gone.
"""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Before torch loads OpenMP: threads that spin between calls starve the others of a busy host.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import torch
import triton_python_backend_utils as pb_utils  # type: ignore[import-not-found] # provided by Triton

from .adapter_bank import AdapterBank, Refused, groups_of
from .calls import Call, Fault, answer, check_tensor_path, failure
from .runners import OnnxRunner, PlanRunner, Runner

_FLAT = ("timesteps", "identity_scales")  # [B] in the graph, [B, 1] on the wire


class TritonPythonModel:
    """What Triton loads; exactly one instance, as each has its own adapters."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the graph, reserve the bank, check the tensor path."""
        folder = Path(args["model_repository"]) / args["model_version"]
        config = json.loads(args["model_config"])
        parameters = {name: entry["string_value"] for name, entry in config["parameters"].items()}
        self._max_rows = int(config["max_batch_size"])
        gpu = int(args["model_instance_device_id"]) if args["model_instance_kind"] == "GPU" else None
        self._device = torch.device("cpu") if gpu is None else torch.device("cuda", gpu)
        self._sidecar = json.loads((folder / "unet.json").read_text(encoding="utf-8"))
        self._inputs: list[str] = self._sidecar["inputs"]
        self._packed = tuple(self._sidecar["lora_inputs"])
        rank_rows, rank_step, max_rank = (
            int(parameters[name]) for name in ("rank_rows", "rank_step", "max_rank")
        )
        self._max_rank = min(rank_rows, max_rank)
        self._bank = AdapterBank(groups_of(self._sidecar), rank_rows, rank_step, self._device)
        self._runner: Runner = (
            PlanRunner(pb_utils, parameters["plan_model"], self._packed, self._device)
            if "plan_model" in parameters
            else OnnxRunner(folder, parameters["variants"], self._sidecar["out_channels"], self._device)
        )
        self._epoch = secrets.randbits(62)
        check_tensor_path()

    def execute(self, requests: list[Any]) -> list[Any]:
        """Predictions of one shape share one call of the graph; the other calls come before them."""
        answers: list[Any] = [None] * len(requests)
        joined: dict[tuple[Any, ...], list[tuple[int, Call]]] = {}
        with torch.inference_mode():
            for index, request in enumerate(requests):
                try:
                    call = Call(request, self._inputs, self._device)
                    if call.kind == "predict":
                        self._check_model(call)
                        joined.setdefault(call.signature, []).append((index, call))
                    else:
                        answers[index] = self._manage(call)
                except Exception as error:  # this request's own; the others are answered
                    answers[index] = failure(error)
            for members in joined.values():
                for (index, _), given in zip(members, self._predict([c for _, c in members]), strict=True):
                    answers[index] = given
        return answers

    def _check_model(self, call: Call) -> None:
        digest = self._sidecar["model_digest"]
        if call.model_digest not in ("", digest):
            raise Fault("MODEL_DIFFERS", f"this server has the model {digest}")

    def _manage(self, call: Call) -> Any:
        """Upload, forget, describe."""
        if call.kind == "describe":
            facts = {"runtime": self._runner.description, "batch_tolerance": self._runner.batch_tolerance}
            facts |= {"graph": self._sidecar, "max_rank": self._max_rank, "max_rows": self._max_rows}
            text = torch.frombuffer(bytearray(json.dumps(facts).encode()), dtype=torch.uint8)
            return answer({"description": text[None], "epoch": self._epochs(call)})
        self._check_model(call)
        if call.kind not in ("upload", "forget") or call.row_count != 1 or len(call.uses[0]) != 1:
            raise Fault("UPLOAD_REFUSED", "uploads and forgets are of one adapter")
        key, _ = call.uses[0][0]
        try:
            if call.kind == "upload":
                self._bank.store(key, {name: tensor[0].cpu() for name, tensor in call.tensors.items()})
                self._runner.prepare(call.tensors.keys())
            else:
                self._bank.forget(key)
        except Refused as error:
            raise Fault("UPLOAD_REFUSED", str(error)) from error
        return answer({"epoch": self._epochs(call)})

    def _predict(self, calls: list[Call]) -> list[Any]:
        """One answer per call; calls whose adapters are missing hear so, the others are predicted still."""
        answers: dict[Call, Any] = {}
        for call in calls:
            missing = [] if self._carries_own(call.tensors) else self._bank.missing(call.uses)
            if missing:
                keys = " ".join(",".join(map(str, key)) for key in missing)
                answers[call] = failure(Fault("ADAPTERS_MISSING", keys, "NOT_FOUND"))
        complete = [call for call in calls if call not in answers]
        try:
            predictions = self._evaluate(complete) if complete else ()
            for call, prediction in zip(complete, predictions, strict=True):
                answers[call] = answer({"prediction": prediction, "epoch": self._epochs(call)})
        except Exception as error:
            answers |= {call: failure(error) for call in complete}
        return [answers[call] for call in calls]

    def _evaluate(self, calls: list[Call]) -> tuple[torch.Tensor, ...]:
        """Predictions of joined calls, in as many calls of the graph as the runner wants."""
        inputs = {name: torch.cat([call.tensors[name] for call in calls]) for name in calls[0].tensors}
        inputs |= {name: inputs[name].reshape(-1) for name in _FLAT if name in inputs}
        uses = [row for call in calls for row in call.uses]
        own = {name: inputs.pop(name) for name in self._packed} if self._carries_own(inputs) else None
        touched = self._touched(own) if own else [self._bank.touched(row) for row in uses]
        predictions: dict[int, torch.Tensor] = {}
        for names, rows in self._runner.divide(touched):
            index = torch.tensor(rows, device=self._device)
            packed = (
                {name: own[name][index] for name in names}
                if own
                else self._bank.gather([uses[row] for row in rows], names)
            )
            part = self._runner.run({name: tensor[index] for name, tensor in inputs.items()} | packed)
            predictions |= dict(zip(rows, part, strict=True))
        together = torch.stack([predictions[row] for row in range(len(uses))])
        return together.split([call.row_count for call in calls])

    def _carries_own(self, tensors: Mapping[str, torch.Tensor]) -> bool:
        return any(name in tensors for name in self._packed)

    def _touched(self, packed: Mapping[str, torch.Tensor]) -> list[frozenset[str]]:
        """Packed inputs that are not all zeros, for each row."""
        flags = {name: tensor.flatten(1).any(dim=1).tolist() for name, tensor in packed.items()}
        rows = range(len(next(iter(packed.values()))))
        return [frozenset(name for name, flag in flags.items() if flag[row]) for row in rows]

    def _epochs(self, call: Call) -> torch.Tensor:
        return torch.full((call.row_count, 1), self._epoch, dtype=torch.int64)

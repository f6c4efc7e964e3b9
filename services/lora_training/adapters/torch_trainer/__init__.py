"""The LoRA trainer on torch: no gRPC, no jobs. `train_adapter` is its whole surface."""

from services.lora_training.adapters.torch_trainer.training import TrainedWeights, TrainingRun, train_adapter

__all__ = ["TrainedWeights", "TrainingRun", "train_adapter"]

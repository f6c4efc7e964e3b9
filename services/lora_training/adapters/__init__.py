"""Technologies behind the ports of lora_training."""

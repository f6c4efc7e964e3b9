"""Use cases of lora_training: take orders, queue, run workers, tell how it goes. Imports the domain only."""

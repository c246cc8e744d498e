"""Measures PyTorch and transformers on what `hone bench train` measures: tokens per second of
AdamW steps in float32, all tokens scored. Prints one JSON line for each model.

    python Tests/Benchmarks/train_pytorch.py [--threads 2] [--seconds 10] [--models demo,0.8M,15M]
"""

import argparse
import json
import statistics
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM

SHAPES = {
    "demo": (dict(vocab_size=512, hidden_size=128, intermediate_size=352, num_hidden_layers=4,
                  num_attention_heads=4, num_key_value_heads=4), 32, 100),
    "0.8M": (dict(vocab_size=200, hidden_size=128, intermediate_size=352, num_hidden_layers=4,
                  num_attention_heads=4, num_key_value_heads=4), 64, 100),
    "15M": (dict(vocab_size=32000, hidden_size=288, intermediate_size=768, num_hidden_layers=6,
                 num_attention_heads=6, num_key_value_heads=6), 8, 256),
}


def measure(name, threads, seconds):
    sizes, batch, length = SHAPES[name]
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    config = LlamaConfig(**sizes, max_position_embeddings=2048, tie_word_embeddings=name != "demo")
    model = LlamaForCausalLM(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)
    ids = torch.randint(0, config.vocab_size, (batch, length))
    rates, losses = [], []
    start = time.monotonic()
    while len(rates) < 4 or time.monotonic() - start < seconds:
        begin = time.monotonic()
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        rates.append(batch * length / (time.monotonic() - begin))
    return {"model": name, "batch": batch, "length": length, "threads": threads,
            "tokensPerSecond": statistics.median(rates[1:]), "firstLoss": losses[0],
            "lastLoss": losses[-1], "torch": torch.__version__}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--models", default="demo,0.8M,15M")
    options = parser.parse_args()
    for name in options.models.split(","):
        print(json.dumps(measure(name, options.threads, options.seconds)), flush=True)

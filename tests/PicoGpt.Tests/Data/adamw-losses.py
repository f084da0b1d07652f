"""Fifty steps of AdamW on the built-in model, in NumPy and float64, independent of this project: makes adamw-losses.json.

    Export-Gpt2Model -Model 3M ./npz -Format Npz
    python3 adamw-losses.py ./npz/model.npz 3M.reference.json > adamw-losses.json

Every step reads the same eight windows of forty tokens, so that their order does not matter.
"""
import json
import sys

import numpy as np

N_HEAD, N_LAYER, LENGTH, WINDOWS, STEPS = 3, 6, 40, 8, 50
OPTIONS = {"LearningRate": 5e-4, "WarmupSteps": 5, "WeightDecay": 0.1, "Beta1": 0.9, "Beta2": 0.99, "Epsilon": 1e-8, "ClipNorm": 1.0}
EPSILON = 1e-5  # of a layer norm


def layer_norm(x, g, b):
    deviation = np.sqrt(x.var(-1, keepdims=True) + EPSILON)
    normed = (x - x.mean(-1, keepdims=True)) / deviation
    return normed * g + b, (normed, deviation)


def layer_norm_back(dy, cache, name, w, grad):
    normed, deviation = cache
    grad[name + "/g"] += (dy * normed).sum((0, 1))
    grad[name + "/b"] += dy.sum((0, 1))
    d = dy * w[name + "/g"]
    return (d - d.mean(-1, keepdims=True) - normed * (d * normed).mean(-1, keepdims=True)) / deviation


def linear(x, name, w):
    return x @ w[name + "/w"] + w[name + "/b"]


def linear_back(dy, x, name, w, grad):
    grad[name + "/w"] += np.einsum("bti,bto->io", x, dy)
    grad[name + "/b"] += dy.sum((0, 1))
    return dy @ w[name + "/w"].T


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def gelu(x):
    tanh = np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
    slope = 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh**2) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x**2)
    return 0.5 * x * (1 + tanh), slope


def heads_of(x):  # [batch, n_seq, n_embd] -> [batch, n_head, n_seq, head_size]
    return x.reshape(x.shape[0], x.shape[1], N_HEAD, -1).transpose(0, 2, 1, 3)


def joined(x):
    return x.transpose(0, 2, 1, 3).reshape(x.shape[0], x.shape[2], -1)


def loss_and_gradient(w, ids, targets):
    grad = {name: np.zeros_like(values) for name, values in w.items()}
    x = w["wte"][ids] + w["wpe"][: ids.shape[1]]
    future = np.triu(np.full((ids.shape[1], ids.shape[1]), -np.inf), 1)
    kept = []
    for i in range(N_LAYER):
        h = f"blocks/{i}"
        ln1, cache1 = layer_norm(x, w[h + "/ln_1/g"], w[h + "/ln_1/b"])
        q, k, v = (heads_of(part) for part in np.split(linear(ln1, h + "/attn/c_attn", w), 3, -1))
        p = softmax(q @ k.transpose(0, 1, 3, 2) / np.sqrt(q.shape[-1]) + future)
        z = joined(p @ v)
        x = x + linear(z, h + "/attn/c_proj", w)
        ln2, cache2 = layer_norm(x, w[h + "/ln_2/g"], w[h + "/ln_2/b"])
        active, slope = gelu(linear(ln2, h + "/mlp/c_fc", w))
        x = x + linear(active, h + "/mlp/c_proj", w)
        kept.append((ln1, cache1, q, k, v, p, z, ln2, cache2, active, slope))
    normed, cache = layer_norm(x, w["ln_f/g"], w["ln_f/b"])
    p = softmax(normed @ w["wte"].T)
    b, t = np.indices(ids.shape)
    loss = -np.log(p[b, t, targets]).mean()

    p[b, t, targets] -= 1
    p /= ids.size
    grad["wte"] += np.einsum("btv,bti->vi", p, normed)
    dx = layer_norm_back(p @ w["wte"], cache, "ln_f", w, grad)
    for i in reversed(range(N_LAYER)):
        h = f"blocks/{i}"
        ln1, cache1, q, k, v, p, z, ln2, cache2, active, slope = kept[i]
        d = linear_back(dx, active, h + "/mlp/c_proj", w, grad) * slope
        dx = dx + layer_norm_back(linear_back(d, ln2, h + "/mlp/c_fc", w, grad), cache2, h + "/ln_2", w, grad)
        d = heads_of(linear_back(dx, z, h + "/attn/c_proj", w, grad))
        dp = d @ v.transpose(0, 1, 3, 2)
        dscore = p * (dp - (dp * p).sum(-1, keepdims=True)) / np.sqrt(q.shape[-1])
        dqkv = np.concatenate([joined(part) for part in (dscore @ k, dscore.transpose(0, 1, 3, 2) @ q, p.transpose(0, 1, 3, 2) @ d)], -1)
        dx = dx + layer_norm_back(linear_back(dqkv, ln1, h + "/attn/c_attn", w, grad), cache1, h + "/ln_1", w, grad)
    np.add.at(grad["wte"], ids, dx)
    grad["wpe"][: ids.shape[1]] += dx.sum(0)
    return loss, grad


def learning_rate(step):
    o = OPTIONS
    if step <= o["WarmupSteps"]:
        return o["LearningRate"] * step / o["WarmupSteps"]
    way = (step - o["WarmupSteps"]) / (STEPS - o["WarmupSteps"])
    return o["LearningRate"] * (0.1 + 0.9 * 0.5 * (1 + np.cos(np.pi * way)))


def main(weights, reference):
    with np.load(weights) as archive:
        w = {name: archive[name].astype(np.float64) for name in archive.files}
    greedy = json.load(open(reference, encoding="utf-8"))["greedy"]
    tokens = [id for text in greedy for id in text["prompt_ids"] + text["new_ids"]][: WINDOWS * LENGTH + 1]
    ids, targets = np.array(tokens[:-1]).reshape(WINDOWS, LENGTH), np.array(tokens[1:]).reshape(WINDOWS, LENGTH)
    first, second = ({name: np.zeros_like(values) for name, values in w.items()} for _ in range(2))
    o, losses, norms = OPTIONS, [], []
    for step in range(1, STEPS + 1):
        loss, grad = loss_and_gradient(w, ids, targets)
        norm = np.sqrt(sum((g**2).sum() for g in grad.values()))
        losses.append(round(float(loss), 9))
        norms.append(round(float(norm), 9))
        rate = learning_rate(step)
        for name in w:
            g = grad[name] * min(1, o["ClipNorm"] / norm)
            first[name] = o["Beta1"] * first[name] + (1 - o["Beta1"]) * g
            second[name] = o["Beta2"] * second[name] + (1 - o["Beta2"]) * g**2
            m, v = first[name] / (1 - o["Beta1"] ** step), second[name] / (1 - o["Beta2"] ** step)
            decay = 0 if name.endswith(("/g", "/b")) else o["WeightDecay"]
            w[name] = w[name] * (1 - rate * decay) - rate * m / (np.sqrt(v) + o["Epsilon"])
    json.dump({"made by": "adamw-losses.py, NumPy " + np.__version__, "options": o, "length": LENGTH, "tokens": tokens, "losses": losses, "norms": norms}, sys.stdout)


main(*sys.argv[1:])

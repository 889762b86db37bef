"""For every rule of rules.toml, a clip that it has to read. Sizes and places are those that were measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from examiners.visible_marks.drawing import Word

LEFT, RIGHT = 0.245, 0.755
SORA = (
    Word("Sora", (LEFT, 0.06), 0.035, (1, 2)),
    Word("Sora", (RIGHT, 0.49), 0.035, (3, 4, 5)),
    Word("Sora", (LEFT, 0.92), 0.035, (6, 7)),
)

CASES: Mapping[str, Sequence[Word]] = {
    "sora": SORA,
    "luma": [Word("LUMA", (0.88, 0.09), 0.05)],
    "pika": [
        Word("MADE WITH PIKA", (0.16, 0.195), 0.025, (0, 1, 2, 3)),
        Word("MADE WITH PIKA", (0.84, 0.815), 0.025, (4, 5, 6, 7)),
    ],
    "kling": [Word("KLING AI 1.6", (0.85, 0.95), 0.025)],
    "jimeng": [Word("即梦AI", (0.88, 0.95), 0.03)],
    "doubao": [Word("豆包AI生成", (0.87, 0.95), 0.03)],
    "atomovideo": [Word("ATOMO", (0.92, 0.95), 0.022)],
    "meta_ai": [Word("Meta AI", (0.9, 0.95), 0.028)],
    "moonvalley": [Word("MOONVALLEY.AI", (0.86, 0.95), 0.025)],
    "morph": [Word("morph studio", (0.84, 0.93), 0.04)],
    "pyoco": [Word("PYoCo", (0.9, 0.95), 0.035)],
    "veo": [Word("Veo", (0.93, 0.95), 0.03)],
    "hailuo": [Word("MINIMAX | hailuo AI", (0.5, 0.95), 0.035)],
    "vidu": [Word("Vidu", (0.9, 0.95), 0.035)],
    "grok": [Word("Grok", (0.92, 0.95), 0.022)],
    "dola": [Word("Dola AI", (0.9, 0.95), 0.03)],
    "qwen": [Word("千问AI生成", (0.87, 0.95), 0.03)],
    "yuanbao": [Word("元宝AI生成", (0.87, 0.95), 0.03)],
    "baidu": [Word("百度AI生成", (0.87, 0.95), 0.03)],
    "runninghub": [Word("RunningHub AI生成", (0.17, 0.07), 0.03)],
    "liblib": [Word("LibLibAI", (0.5, 0.95), 0.03)],
    "meta_imagined": [Word("Imagined with AI", (0.17, 0.95), 0.03)],
    "label_chinese": [Word("本视频由AI生成", (0.2, 0.09), 0.05)],
    "label_english": [Word("AI-generated", (0.16, 0.08), 0.035)],
    "label_english_edited": [Word("AI MODIFIED", (0.16, 0.08), 0.035)],
    "samsung": [Word("Contenuti generati dall'AI", (0.18, 0.95), 0.025)],
}

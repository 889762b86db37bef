"""The table of rules: every label that is recognised, in the order it is reported."""

from __future__ import annotations

from . import aigc, generators, iptc, pipelines, tiktok
from .claims import EXIF, Rule, at

RULES: tuple[Rule, ...] = (
    Rule("aigc", aigc.is_keyed, aigc.read_keyed),
    Rule("aigc_keyless", aigc.is_keyless, aigc.read_keyless),
    Rule("kling_sei", generators.is_sei, generators.read_kling),
    Rule("tiktok", tiktok.is_label, tiktok.read_label),
    Rule("iptc_digital_source_type", iptc.is_source_type, iptc.read_source_type),
    Rule("iptc_ai_fields", iptc.is_about_ai, iptc.read_about_ai),
    Rule("credit", iptc.is_credit, iptc.read_credit),
    Rule("grok", at(EXIF, generators.EXIF_DESCRIPTION), generators.read_grok),
    Rule("exif_ai_generated", generators.is_exif_software, generators.read_flux),
    Rule("midjourney", generators.is_description, generators.read_midjourney),
    Rule("comfyui", pipelines.is_comfy, pipelines.read_comfy),
    Rule("parameters", pipelines.is_parameters, pipelines.read_parameters),
    Rule("invokeai", pipelines.is_invoke, pipelines.read_invoke),
    Rule("software", generators.is_software, generators.read_software),
    Rule("hf_job", generators.is_job, generators.read_job),
)

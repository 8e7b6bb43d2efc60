"""Draws the pictures of a site: flat, generative SVG from a seed and six colours. No text, no scripts."""

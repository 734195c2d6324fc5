"""Files in and out: model files, JSON results and profiles."""

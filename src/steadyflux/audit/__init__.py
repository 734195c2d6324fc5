"""The audit: what must hold of every model, law and system, judged without any code in the law."""

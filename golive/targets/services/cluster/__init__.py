"""A Kubernetes namespace as `kubectl` tells it: workloads and their pods.

`asking` is the shell text, `pods` and `workloads` make records of its answer. Environment
values, commands, annotations and the contents of probes are not asked for.
"""

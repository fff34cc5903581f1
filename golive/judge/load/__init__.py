"""What a load showed: latencies by bucket, seconds merged over its processes, and whether it may run at all. Pure."""

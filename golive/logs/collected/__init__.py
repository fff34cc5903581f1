"""Log collectors with an HTTP API: what of them is counted there, carried here, and how nothing is read twice."""

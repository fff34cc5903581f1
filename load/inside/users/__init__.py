"""The users: their journeys, connections and requests; and those of a locustfile of the user's own."""

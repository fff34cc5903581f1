"""What a watch is seen as: timeline, measurements, availability, incidents, log, form, records. All pure."""

"""From what was found to what is proposed, one file a subject: each adds its entries and rules. Pure."""

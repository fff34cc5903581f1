"""Load that comes from elsewhere: from machines that are reached over ssh, and from workers that join by themselves."""

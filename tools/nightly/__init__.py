"""The long campaigns: kills and seeds by the thousand, which add up over runs."""

"""What a check found, in the formats that people and their tools read: one module for each format."""

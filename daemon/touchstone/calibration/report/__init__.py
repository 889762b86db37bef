"""What a calibration shows people: numbers as JSON, a page with plots, and tables for a console."""

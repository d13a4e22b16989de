"""The mathematics: windows, evidence and its errors. Knows neither networks nor files."""

"""Tables as CSV and as workbook."""

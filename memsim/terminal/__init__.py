"""What people see: streams that take whatever is written to them, tables, bars, SI numbers, and words on compiling."""

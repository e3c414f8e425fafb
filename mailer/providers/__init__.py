"""The ways out, one folder each; `registry` names them, and loads one only when it is used."""

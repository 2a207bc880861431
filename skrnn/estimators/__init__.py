"""The estimators: they choose the parts and talk to scikit-learn."""

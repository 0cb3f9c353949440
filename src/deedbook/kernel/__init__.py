"""The words every room speaks: ids, amounts, time, refusals, facts and jobs. No input or output."""

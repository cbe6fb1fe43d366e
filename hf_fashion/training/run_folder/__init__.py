"""The output folder of a run: checkpoints, where a run resumes, exports."""

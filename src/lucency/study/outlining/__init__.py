"""The task of segmentation: to outline structures in pictures and volumes."""

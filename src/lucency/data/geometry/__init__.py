"""Where the voxels of a volume lie, and how they are brought onto an even, upright grid."""

"""Networks that find lesions: Faster R-CNN for boxes, Mask R-CNN for boxes and masks."""

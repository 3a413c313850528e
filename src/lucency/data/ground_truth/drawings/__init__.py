"""What people drew on images: masks, outlines and boxes of any format, found, checked and laid on the image's grid."""

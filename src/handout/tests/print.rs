//! What a browser makes of pages: one sheet of paper, and a picture whose code is read.

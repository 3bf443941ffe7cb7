/** Answers of each side before it is known what tells them apart (domain.md, C.4); with fewer it is not known. */
export const calibrationCountMin = 50;

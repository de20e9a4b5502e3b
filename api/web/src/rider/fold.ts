/** Folds case and the diacritics of Vietnamese, so that "giap bat" finds "Giáp Bát". */
export function fold(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').replaceAll(/[đĐ]/g, 'd').toLowerCase().trim();
}

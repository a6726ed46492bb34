/** Whether a text can stand where people read a name: 1 to 128 characters, none of them a control character or half of one. */
export function isDisplayName(text: string): boolean {
  return /^[^\p{Cc}\p{Cs}\u2028\u2029]{1,128}$/u.test(text) && text.trim() !== "";
}

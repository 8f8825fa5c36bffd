/** Why a page shows nothing, or not all; and the way to sign in where that is what is missing. */
import { useTranslation } from "react-i18next";
import { Button } from "../ui/Button";
import { useRefusalText } from "./refusals";
import { navigate } from "./router";
import styles from "./Refused.module.css";

/** What the server says where nobody is signed in. */
export const SIGN_IN_NEEDED = "sign-in-needed";

interface RefusedProps {
  why: { code: string; retryAfter: number | null };
  /** What one would see here as somebody signed in. */
  signIn: string;
}

export function Refused({ why, signIn }: RefusedProps) {
  const { t } = useTranslation();
  const refusalText = useRefusalText();
  const signedOut = why.code === SIGN_IN_NEEDED;
  return (
    <div className={styles.refused} role="alert">
      <p>{signedOut ? signIn : refusalText(why)}</p>
      {signedOut && (
        <Button variant="primary" onPress={() => navigate("/sign-in")}>
          {t("account.signIn")}
        </Button>
      )}
    </div>
  );
}

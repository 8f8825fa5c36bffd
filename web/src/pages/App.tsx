/** Which page is shown, in which language; and what all pages share. */
import "@fontsource-variable/hanken-grotesk";
import "../ui/tokens.css";
import "../ui/base.css";
import { lazy, Suspense } from "react";
import { I18nProvider } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { startLanguages } from "../i18n";
import { Setup, SignIn } from "./AccountForm";
import { CrashBoundary } from "./Crash";
import { Home } from "./Home";
import { Loading } from "./meeting/PhaseView";
import { NotFound } from "./NotFound";
import { routeOf, useAddress } from "./router";

// The start page does not wait for what only a meeting needs.
const MeetingPage = lazy(() => import("./meeting/MeetingPage"));
const WatchPage = lazy(() => import("./watch/WatchPage"));
const StudioPage = lazy(() => import("./studio/StudioPage"));
const EncoderPage = lazy(() => import("./encoder/EncoderPage"));
const BroadcastsPage = lazy(() => import("./broadcasts/BroadcastsPage"));
const RecordingsPage = lazy(() => import("./recordings/RecordingsPage"));
const ReplayPage = lazy(() => import("./replay/ReplayPage"));
const NetworkTestPage = lazy(() => import("./NetworkTest"));
const PeoplePage = lazy(() => import("./accounts/PeoplePage"));
const AccountPage = lazy(() => import("./accounts/AccountPage"));
const InvitationPage = lazy(() => import("./accounts/InvitationPage"));
const Gallery = lazy(() => import("../gallery/Gallery"));

startLanguages();

export function App() {
  const { i18n } = useTranslation();
  const address = useAddress();
  return (
    <I18nProvider locale={i18n.language}>
      <CrashBoundary>
        <Suspense fallback={<Loading />}>
          <Shown address={address} />
        </Suspense>
      </CrashBoundary>
    </I18nProvider>
  );
}

function Shown({ address }: { address: string }) {
  const route = routeOf(address);
  switch (route.page) {
    case "home":
      return <Home />;
    case "meeting":
      return <MeetingPage key={address} />;
    case "watch":
      return <WatchPage key={address} id={route.id} />;
    case "studio":
      return <StudioPage key={address} id={route.id} />;
    case "encoder":
      return <EncoderPage key={address} id={route.id} />;
    case "broadcasts":
      return <BroadcastsPage />;
    case "recordings":
      return <RecordingsPage />;
    case "recording":
      return <ReplayPage key={address} id={route.id} />;
    case "setup":
      return <Setup />;
    case "sign-in":
      return <SignIn />;
    case "test":
      return <NetworkTestPage />;
    case "people":
      return <PeoplePage />;
    case "account":
      return <AccountPage />;
    case "invitation":
      return <InvitationPage />;
    case "gallery":
      return <Gallery />;
    case "not-found":
      return <NotFound />;
  }
}

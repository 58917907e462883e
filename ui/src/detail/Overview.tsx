import type { Detail } from '../core/record';
import { Icon } from '../parts/Icon';
import { Facts } from './Facts';
import { Attempts, Timing } from './Timing';
import { t } from './words';

export function Overview({ detail }: { detail: Detail }) {
  const attempts = <Attempts attempts={detail.upstreams} />;
  const failed = detail.upstreams
    && (detail.error || detail.upstreams.length > 1);

  return (
    <div class="overview" tabIndex={0} role="region" aria-label={t('overview')}>
      {detail.error && (
        <div class="notice tone-error">
          <Icon name="error" />
          <div>
            <p class="notice-title">{detail.error_type ?? t('error')}</p>
            <p class="wrap">{detail.error}</p>
          </div>
        </div>
      )}
      {failed && attempts}
      <Timing detail={detail} />
      <Facts detail={detail} />
      {!failed && attempts}
      {detail.usage && (
        <section>
          <h3>{t('asSent')}</h3>
          <pre class="wrap">{JSON.stringify(detail.usage, null, 2)}</pre>
        </section>
      )}
    </div>
  );
}

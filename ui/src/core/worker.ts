// The page's end of its worker; one of them reads one body.

import type { Answer, Calls } from '../worker/messages';

const meta = document.querySelector<HTMLMetaElement>('meta[name="worker"]');
const script = new URL(meta!.content, document.baseURI).href;

interface Policy { createScriptURL: (url: string) => string }
interface Policies {
  createPolicy: (name: string, policy: Policy) => Policy;
}

// the one script that may be made a worker of

const policy = (window as { trustedTypes?: Policies }).trustedTypes
  ?.createPolicy('worker', {
    createScriptURL(url) {
      if (url !== script) {
        throw new TypeError('not the worker of this page');
      }
      return url;
    },
  });

type Waiting = { resolve: (value: never) => void;
                 reject: (error: Error) => void };

export class Reader {
  private worker = new Worker(
    policy ? policy.createScriptURL(script) : script, { type: 'module' });
  private waiting = new Map<number, Waiting>();
  private last = 0;

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const it = this.waiting.get(data.id);

      this.waiting.delete(data.id);

      if (data.error === undefined) {
        it?.resolve(data.result as never);
      } else {
        it?.reject(new Error(data.error));
      }
    };
  }

  ask<K extends keyof Calls>(call: K, args: Calls[K]['in']) {
    const id = ++this.last;

    return new Promise<Calls[K]['out']>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, call, args });
    });
  }

  close() {
    this.worker.terminate();
  }
}
